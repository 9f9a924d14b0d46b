#include "store/sqlite/open.h"
#include "store/sqlite/open_connection.h"

namespace lowbit::store {

Result<std::vector<std::string>> integrity_problems(const std::filesystem::path& file) {
  LB_TRY_ASSIGN(const std::unique_ptr<Connection> db, open_connection(file, Access::read_only, {}));
  return db->guarded("checking it", [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> problems;
    Rows structure = db->query("PRAGMA integrity_check");
    while (structure.next()) {
      if (structure.text(0) != "ok") problems.push_back(structure.text(0));
    }
    Rows references = db->query("PRAGMA foreign_key_check");
    while (references.next()) {
      problems.push_back("a row of " + references.text(0) + " refers to a row of " + references.text(2) +
                         " that is not there");
    }
    return problems;
  });
}

}  // namespace lowbit::store
