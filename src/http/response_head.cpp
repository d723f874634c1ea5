#include "http/response_head.hpp"

namespace flexsync::http {

namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Payload Too Large";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

void write_head(std::string& head, const Response& response, std::string_view request_id, std::string_view date,
                Persistence persistence) {
  head = "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  head += reason_of(response.status);
  head += "\r\nDate: ";
  head += date;
  if (response.status != 204) {
    head += "\r\nContent-Type: ";
    head += response.content_type;
    head += "\r\nContent-Length: ";
    head += std::to_string(response.body.size());
  }
  head += "\r\nX-Request-ID: ";
  head += request_id;
  for (const auto& [name, value] : response.headers) {
    head.append("\r\n").append(name).append(": ").append(value);
  }
  if (persistence == Persistence::close) {
    head += "\r\nConnection: close";
  } else if (persistence == Persistence::keep_alive) {
    head += "\r\nConnection: keep-alive";
  }
  head += "\r\n\r\n";
}

}  // namespace flexsync::http
