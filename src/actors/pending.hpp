// A question from outside the actors, with the way back of its answer.
//
// It travels from actor to actor, and any of them may fall. Whoever drops it last answers for it: the caller always
// hears, exactly once.
#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace flexsync::actors {

template <class Question, class Answer>
class Pending {
 public:
  // `otherwise` is the answer if nobody gives one.
  Pending(Question question, std::function<void(Answer)> reply, Answer otherwise)
      : question_(std::move(question)), reply_(std::move(reply)), otherwise_(std::move(otherwise)) {}
  ~Pending() { answer(std::move(otherwise_)); }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  const Question& question() const { return question_; }
  void set_otherwise(Answer otherwise) { otherwise_ = std::move(otherwise); }

  // The first answer counts.
  void answer(Answer given) {
    if (const auto reply = std::exchange(reply_, nullptr)) {
      reply(std::move(given));
    }
  }

 private:
  Question question_;
  std::function<void(Answer)> reply_;
  Answer otherwise_;
};

}  // namespace flexsync::actors
