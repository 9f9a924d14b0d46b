#include "store/sqlite/item_rows.h"

namespace lowbit::store {
namespace {

// A column holds a field only when it has the column's type: the whole line stands in `fields` in any case.
Cell text_field(const Json& fields, const char* name) {
  const auto it = fields.find(name);
  return it != fields.end() && it->is_string() ? Cell(it->get<std::string>()) : Cell(nullptr);
}

Cell whole_field(const Json& fields, const char* name) {
  const auto it = fields.find(name);
  return it != fields.end() && (it->is_number_integer() || it->is_boolean()) ? scalar_cell(*it) : Cell(nullptr);
}

Cell real_field(const Json& fields, const char* name) {
  const auto it = fields.find(name);
  return it != fields.end() && it->is_number() ? Cell(it->get<double>()) : Cell(nullptr);
}

void insert_prediction(Connection& db, std::int64_t result, const std::string& port, const ItemRow& item) {
  const Json& f = item.fields;
  db.execute(
      "INSERT INTO predictions (result_id, port, item_id, problem_id, correct, extracted, n_tokens, truncated, fields) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      result, port, item.item_id, text_field(f, "problem_id"), whole_field(f, "correct"), text_field(f, "extracted"),
      whole_field(f, "n_tokens"), whole_field(f, "truncated"), canonical(f));
}

void insert_verdict(Connection& db, std::int64_t result, const std::string& port, const ItemRow& item) {
  const Json& f = item.fields;
  db.execute(
      "INSERT INTO verdicts (result_id, port, item_id, judge, first_error_step, category, type, confidence, status, "
      "fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      result, port, item.item_id, text_field(f, "judge"), whole_field(f, "first_error_step"), text_field(f, "category"),
      text_field(f, "type"), real_field(f, "confidence"), text_field(f, "status"), canonical(f));
}

void insert_grade(Connection& db, std::int64_t result, const std::string& port, const ItemRow& item) {
  const Json& f = item.fields;
  db.execute(
      "INSERT INTO grades (result_id, port, item_id, problem_id, correct, source, category, type, first_error_step, "
      "fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      result, port, item.item_id, text_field(f, "problem_id"), whole_field(f, "correct"), text_field(f, "source"),
      text_field(f, "category"), text_field(f, "type"), whole_field(f, "first_error_step"), canonical(f));
}

}  // namespace

Result<void> insert_items(Connection& db, std::int64_t result, const std::string& port,
                          const std::string& artifact_type, const std::vector<ItemRow>& items) {
  const auto insert = artifact_type == "predictions/1" ? insert_prediction
                      : artifact_type == "verdicts/1"  ? insert_verdict
                      : artifact_type == "grades/1"    ? insert_grade
                                                       : nullptr;
  if (insert == nullptr) {
    return contradiction("storing items",
                         "port " + port + " has items and its type `" + artifact_type + "` has no table for them");
  }
  for (const ItemRow& item : items) insert(db, result, port, item);
  return {};
}

}  // namespace lowbit::store
