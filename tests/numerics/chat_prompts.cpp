// chat_prompts DIRECTORY < lines: for each line, {"messages": [{"role", "content"}], "add_generation_prompt", "date"},
// the JSON text of the rendered prompt, or null when the conversation is refused. For peer_chat.py.
#include <iostream>
#include <string>

#include "lm/chat.h"
#include "lm/error.h"
#include "nlohmann/json.hpp"

int main(int argc, char** argv) try {
  namespace lm = lowbit::lm;
  if (argc != 2) {
    std::cerr << "usage: chat_prompts DIRECTORY < lines\n";
    return 2;
  }
  const auto chat = lm::ChatTemplate::open(argv[1]);
  for (std::string line; std::getline(std::cin, line);) {
    const auto row = nlohmann::json::parse(line);
    std::vector<lm::ChatMessage> messages;
    for (const auto& message : row["messages"]) messages.push_back({message["role"], message["content"]});
    nlohmann::json answer;
    try {
      answer = chat.render(messages, {.add_generation_prompt = row["add_generation_prompt"], .date = row["date"]});
    } catch (const lm::Error&) {  // null
    }
    std::cout << answer.dump() << '\n';
  }
  return 0;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
