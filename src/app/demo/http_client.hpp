// A tiny blocking HTTP client: the demo talks to Flexsync and to the simulator as any program would.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace flexsync::app::demo {

using Json = nlohmann::json;
using Form = std::vector<std::pair<std::string, std::string>>;  // {"address[city]", "Paris"}

struct Reply {
  int status = 0;
  std::string body;
};

// One connection, one thread. Everything but raw() throws Failure when the answer is not a 2xx.
class HttpClient {
 public:
  HttpClient(std::string base_url, std::string bearer);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;

  Json get(const std::string& path);
  std::string get_text(const std::string& path);
  Json post(const std::string& path, const Json& body);
  Json post_form(const std::string& path, const Form& form);
  Json remove(const std::string& path);

  Reply raw(const std::string& method, const std::string& path, const std::string& body,
            const std::vector<std::string>& headers);

  const std::string& base_url() const { return base_url_; }

 private:
  Json expect_json(const std::string& method, const std::string& path, const std::string& body,
                   const std::string& content_type);

  std::string base_url_;
  std::string bearer_;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace flexsync::app::demo
