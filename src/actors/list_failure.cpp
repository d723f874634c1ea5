#include "actors/list_failure.hpp"

#include <algorithm>

#include "actors/overloaded.hpp"

namespace flexsync::actors {

ListFailure list_failure(const stripe::CallOutcome& outcome, Timestamp now, const ListPatience& patience) {
  const auto soon = now + patience.retry;
  return std::visit(Overloaded{
                        [&](const stripe::Answered&) {
                          return ListFailure{"", soon};
                        },
                        [&](const stripe::NotFound& answer) {
                          return ListFailure{answer.message, now + patience.interval};
                        },
                        [&](const stripe::Refused& answer) {
                          return ListFailure{answer.message, now + patience.interval};
                        },
                        [&](const stripe::NotConnected& answer) {
                          return ListFailure{answer.reason, now + patience.pause};
                        },
                        [&](const stripe::RetryLater& answer) {
                          return ListFailure{answer.reason, std::max(answer.not_before, soon)};
                        },
                        [&](const stripe::Unknown& answer) {
                          return ListFailure{answer.reason, soon};
                        },
                    },
                    outcome);
}

}  // namespace flexsync::actors
