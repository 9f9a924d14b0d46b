#include "component/store/fixture.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

/// A database with one result; asks it.
struct Asked {
  Directory dir;
  Asked() {
    Writer writer(dir.database());
    writer.publish(writer.publication("c", "score"));
  }
  [[nodiscard]] std::string error_of(const std::string& sql) const {
    return dir.error_of(query_sqlite(dir.database(), sql));
  }
};

}  // namespace

TEST_CASE("a query gives columns and typed cells", "[store][query]") {
  const Asked db;
  const QueryResult table = must(
      query_sqlite(db.dir.database(),
                   "SELECT 1 AS i, 0.1 AS r, 'ü' AS t, NULL AS n, x'00ff' AS b, 9e999 AS inf, -9e999, 9e999 - 9e999"));
  CHECK(table.columns == std::vector<std::string>{"i", "r", "t", "n", "b", "inf", "-9e999", "9e999 - 9e999"});
  REQUIRE(table.rows.size() == 1);
  const std::vector<std::optional<Json>> expected{1, 0.1, "ü", std::nullopt, "x'00ff'", "inf", "-inf", std::nullopt};
  CHECK(table.rows[0] == expected);
}

TEST_CASE("common table expressions, windows, table functions and a last semicolon are fine", "[store][query]") {
  const Asked db;
  CHECK(ask(db.dir.database(),
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
            "SELECT i, sum(i) OVER (ORDER BY i) FROM n;\n ") == "1,1\n2,3\n3,6\n");
  CHECK(ask(db.dir.database(), "SELECT value FROM json_each('[1,2]')") == "1\n2\n");
  CHECK(ask(db.dir.database(), "SELECT name FROM pragma_table_info('provenance')") == "provenance_key\ncontent_key\n");
  CHECK(ask(db.dir.database(), "VALUES (1)") == "1\n");
}

TEST_CASE("a query that would write is refused and changes nothing", "[store][query]") {
  const Asked db;
  const auto refused = [](const std::string& what) {
    return "error[LB7001]: the query would write\n"
           " = note: it would " +
           what +
           "; `lowbit query` only reads\n"
           " = help: ask with SELECT; results are changed by running stages\n";
  };
  CHECK(db.error_of("DELETE FROM metrics") == refused("delete from metrics"));
  CHECK(db.error_of("UPDATE metrics SET value = 1") == refused("update metrics"));
  CHECK(db.error_of("INSERT INTO meta VALUES ('a', 'b')") == refused("insert into meta"));
  CHECK(db.error_of("WITH x AS (SELECT 1) DELETE FROM metrics") == refused("delete from metrics"));
  CHECK(db.error_of("ATTACH 'other.db' AS other") == refused("attach or detach a file"));
  CHECK(db.error_of("DETACH main") == refused("attach or detach a file"));
  CHECK(db.error_of("PRAGMA query_only = 0") == refused("use PRAGMA query_only"));
  CHECK(db.error_of("PRAGMA journal_mode = DELETE") == refused("use PRAGMA journal_mode"));
  CHECK(db.error_of("BEGIN") == refused("begin or end a transaction"));
  CHECK(db.error_of("SAVEPOINT s") == refused("begin or end a transaction"));
  CHECK(db.error_of("CREATE TABLE t (x INTEGER)") == refused("insert into sqlite_master"));
  CHECK(db.error_of("CREATE TEMP TABLE t (x INTEGER)") == refused("insert into sqlite_temp_master"));
  CHECK(db.error_of("DROP TABLE metrics") == refused("delete from sqlite_master"));
  CHECK(db.error_of("VACUUM INTO 'copy.db'") == refused("change the database"));
  CHECK(ask(db.dir.database(), "SELECT count(*) FROM metrics") == "1\n");
}

TEST_CASE("an unknown table or column is answered with the nearest name", "[store][query]") {
  const Asked db;
  CHECK(db.error_of("SELECT *\nFROM v_reslts") ==
        "error[LB7002]: the query cannot be answered: no such table: v_reslts\n"
        " --> query:2:6\n"
        "  |\n"
        "2 | FROM v_reslts\n"
        "  |      ^^^^^^^^\n"
        "  = help: a table or view with a similar name exists: `v_results`\n");
  CHECK(db.error_of("SELECT m.valeu FROM metrics m") ==
        "error[LB7002]: the query cannot be answered: no such column: m.valeu\n"
        " --> query:1:8\n"
        "  |\n"
        "1 | SELECT m.valeu FROM metrics m\n"
        "  |        ^^^^^^^\n"
        "  = help: a column with a similar name exists: `value`\n");
  CHECK(db.error_of("SELECT plugin_digest FROM metrics") ==
        "error[LB7002]: the query cannot be answered: no such column: plugin_digest\n"
        " --> query:1:8\n"
        "  |\n"
        "1 | SELECT plugin_digest FROM metrics\n"
        "  |        ^^^^^^^^^^^^^\n"
        "  = help: `plugin_digest` is a column of results\n");
}

TEST_CASE("a query that is not SQL is shown with the place", "[store][query]") {
  const Asked db;
  const std::string help =
      "  = help: tables, views and columns: `lowbit query \"SELECT name, sql FROM sqlite_schema\"` or "
      "docs/results-schema.md\n";
  CHECK(db.error_of("SELEC 1") ==
        "error[LB7002]: the query cannot be answered: near \"SELEC\": syntax error\n"
        " --> query:1:1\n"
        "  |\n"
        "1 | SELEC 1\n"
        "  | ^^^^^\n" +
            help);
  CHECK(db.error_of("SELECT 1 FROM everything") ==
        "error[LB7002]: the query cannot be answered: no such table: everything\n"
        " --> query:1:15\n"
        "  |\n"
        "1 | SELECT 1 FROM everything\n"
        "  |               ^^^^^^^^^^\n" +
            help);
  CHECK(db.error_of("SELECT json_extract('{', '$.a')") ==
        "error[LB7002]: the query cannot be answered: malformed JSON\n"
        " = help: tables, views and columns: `lowbit query \"SELECT name, sql FROM sqlite_schema\"` or "
        "docs/results-schema.md\n");
}

TEST_CASE("a query is one statement", "[store][query]") {
  const Asked db;
  CHECK(db.error_of("SELECT 1; DELETE FROM metrics") ==
        "error[LB7003]: the query holds more than one statement\n"
        " --> query:1:10\n"
        "  |\n"
        "1 | SELECT 1; DELETE FROM metrics\n"
        "  |          ^\n"
        "  = help: give exactly one SELECT statement\n");
  for (const char* empty : {"", "  ", ";", "-- only a remark"}) {
    CHECK(db.error_of(empty) ==
          "error[LB7003]: the query is empty\n"
          " = help: give exactly one SELECT statement\n");
  }
  CHECK(ask(db.dir.database(), "SELECT 1; ;\n") == "1\n");
}
