#include "openai/questions.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <lowbit/errors.hpp>
#include <map>
#include <memory>
#include <optional>

#include "openai/connection.h"

namespace lowbit::openai {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{50};
/// A server that asks for more than this is not waited for: the stage ends and is run again later.
constexpr std::chrono::seconds kLongestWait{300};

StageError stopped_by(const Endpoint& endpoint, const std::string& path, const Reply& reply) {
  const std::string name = "endpoint `" + endpoint.id + "`";
  const std::string url_variable = std::string("environment variable ") + endpoint.variables.url;
  if (reply.untrusted) {
    return {LB_BAD_PARAM,
            {.what = name + " cannot prove who it is",
             .where = url_variable,
             .why = reply.failure,
             .fix = "name the host as its certificate does; for an authority of your own, export "
                    "SSL_CERT_FILE=/path/of/ca.pem"}};
  }
  const std::string said = describe(reply);
  if (reply.status == 401 || reply.status == 403) {
    const std::string variable = endpoint.variables.key;
    return {LB_BAD_PARAM,
            {.what = endpoint.key.empty() ? name + " needs a key, and none is set" : name + " does not accept the key",
             .where = "environment variable " + variable,
             .why = said,
             .fix = "export " + variable + "=KEY with a key that may use this model, then run again"}};
  }
  if (reply.status == 429) {
    return {LB_RESOURCE,
            {.what = "the quota at " + name + " is used up",
             .where = endpoint.address(),
             .why = said,
             .fix = "raise the quota or the credit at the provider, then run again: answers that were "
                    "paid for are kept"}};
  }
  if (reply.status == 404) {
    return {
        LB_BAD_PARAM,
        {.what = name + " has no such address or model",
         .where = endpoint.address() + endpoint.path + path,
         .why = said,
         .fix = std::string("check `model`, and the path in ") + endpoint.variables.url + ": it often ends in /v1"}};
  }
  if (reply.status < 400) {
    return {LB_BAD_PARAM,
            {.what = name + " answers with a redirection",
             .where = url_variable,
             .why = "HTTP " + std::to_string(reply.status),
             .fix = "set the variable to the address that finally answers"}};
  }
  return {LB_BAD_PARAM,
          {.what = name + " does not accept the request",
           .where = endpoint.address() + endpoint.path + path,
           .why = said,
           .fix = "change the parameter that the message names: `temperature: null` leaves it out, "
                  "`max_completion_tokens` is another name for `max_tokens`, `answer_format` another way to answer"}};
}

StageError out_of_tries(const Endpoint& endpoint, const Reply& reply, const std::string& why_no_more) {
  return {LB_TRANSIENT,
          {.what = "endpoint `" + endpoint.id + "` did not answer",
           .where = endpoint.address(),
           .why = why_no_more + describe(reply),
           .fix = std::string("check the server and ") + endpoint.variables.url +
                  ", then run again: answers that were paid for are kept"}};
}

class Asking {
 public:
  Asking(const Endpoint& endpoint, std::size_t n_questions, const Policy& policy, const Hooks& hooks)
      : endpoint_(endpoint), policy_(policy), hooks_(hooks), tries_(n_questions, 0) {
    for (std::size_t i = 0; i < std::min(policy.max_concurrent, n_questions); ++i) {
      idle_.push_back(connections_.emplace_back(std::make_unique<Connection>(io_, tls_, endpoint)).get());
    }
  }

  void run() {
    look();
    io_.run();
    if (problem_) throw *problem_;
  }

 private:
  void look() {
    hooks_.poll();
    begin_calls();
    if (is_over()) return;
    // Not later than the next call may begin, or calls closer than two looks would be fewer than allowed.
    const Steady::duration until_next = next_begin_ - Steady::now();
    const bool soon = !idle_.empty() && until_next > Steady::duration::zero() && until_next < kLook;
    timer_.expires_after(soon ? until_next : Steady::duration(kLook));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) look();
    });
  }

  [[nodiscard]] bool is_over() const {
    return idle_.size() == connections_.size() && (problem_ || (next_ == tries_.size() && later_.empty()));
  }

  void begin_calls() {
    while (!problem_ && !idle_.empty() && Steady::now() >= std::max(held_until_, next_begin_)) {
      const auto question = take();
      if (!question) return;
      Turn turn = hooks_.turn(*question);
      if (auto* request = std::get_if<Request>(&turn)) {
        call(*question, std::move(*request));
      } else if (auto* problem = std::get_if<StageError>(&turn)) {
        problem_ = std::move(*problem);
      } else if (std::holds_alternative<Wait>(turn)) {
        later_.emplace(Steady::time_point(), *question);
        return;
      }
    }
  }

  /// The next question whose time has come.
  std::optional<std::size_t> take() {
    if (!later_.empty() && later_.begin()->first <= Steady::now()) {
      const std::size_t question = later_.begin()->second;
      later_.erase(later_.begin());
      return question;
    }
    if (next_ < tries_.size()) return next_++;
    return std::nullopt;
  }

  void call(std::size_t question, Request request) {
    Connection* const connection = idle_.front();
    idle_.pop_front();
    ++tries_[question];
    const auto started_at = std::chrono::system_clock::now();
    const auto start = Steady::now();
    if (policy_.per_minute > 0) next_begin_ = start + Steady::duration(std::chrono::minutes(1)) / policy_.per_minute;
    connection->post(policy_.path, request.body, policy_.timeout,
                     [this, connection, question, id = std::move(request.id), started_at, start](Reply reply) {
                       idle_.push_back(connection);
                       const std::chrono::duration<double> took = Steady::now() - start;
                       end_call({.question = question,
                                 .id = id,
                                 .reply = std::move(reply),
                                 .started_at = started_at,
                                 .seconds = took.count()});
                     });
  }

  void end_call(Call call) {
    call.meaning = meaning_of(call.reply);
    const After after = hooks_.ended(call);
    if (after == After::ask_on) {
      tries_[call.question] = 0;
      later_.emplace(Steady::now(), call.question);
    } else if (after == After::ask_again || call.meaning == Meaning::retry) {
      ask_later(call);
    } else if (call.meaning == Meaning::stop && !problem_) {
      problem_ = stopped_by(endpoint_, policy_.path, call.reply);
    }
    begin_calls();
    if (is_over()) timer_.cancel();
  }

  void ask_later(const Call& call) {
    const int tries = tries_[call.question];
    const auto asked_for = read_retry_after(call.reply.retry_after, std::chrono::system_clock::now());
    const std::chrono::seconds asked = asked_for.value_or(std::chrono::seconds(0));
    if (asked > kLongestWait || tries >= policy_.max_attempts) {
      const std::string why = asked > kLongestWait
                                  ? "it asks to wait " + std::to_string(asked.count()) + " s; "
                                  : "tried " + std::to_string(tries) + (tries == 1 ? " time; " : " times; ");
      if (!problem_) problem_ = out_of_tries(endpoint_, call.reply, why);
      return;
    }
    const auto now = Steady::now();
    if (asked_for) held_until_ = std::max(held_until_, now + asked);
    const double draw = policy_.draw(call.id, tries);
    const auto wait = std::max<std::chrono::milliseconds>(asked, backoff(policy_.backoff, tries, draw));
    later_.emplace(now + wait, call.question);
  }

  const Endpoint& endpoint_;
  const Policy& policy_;
  const Hooks& hooks_;
  boost::asio::io_context io_{1};
  boost::asio::ssl::context tls_ = client_context();
  boost::asio::steady_timer timer_{io_};
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;
  std::size_t next_ = 0;                                  ///< first question never asked
  std::multimap<Steady::time_point, std::size_t> later_;  ///< questions to ask again
  std::vector<int> tries_;
  Steady::time_point held_until_{};
  Steady::time_point next_begin_{};  ///< by the allowed rate
  std::optional<StageError> problem_;
};

}  // namespace

void ask(const Endpoint& endpoint, std::size_t n_questions, const Policy& policy, const Hooks& hooks) {
  Asking(endpoint, n_questions, policy, hooks).run();
}

}  // namespace lowbit::openai
