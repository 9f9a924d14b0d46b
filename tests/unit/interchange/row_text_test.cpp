#include "interchange/row_text.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace lowbit;
using namespace lowbit::interchange;

TEST_CASE("CSV keeps empty text and nothing apart, and quotes what RFC 4180 says", "[interchange]") {
  const RowText rows({"a", "b", "c", "d", "e"}, RowFormat::csv);
  CHECK(rows.header() == "a,b,c,d,e\n");
  CHECK(rows.line({nullptr, "", 0.1, "x,\"y\"\nz", Json::array({1, "a"})}) ==
        ",\"\",0.1,\"x,\"\"y\"\"\nz\",\"[1,\"\"a\"\"]\"\n");
  CHECK(rows.line({1234567, true, 1e300, std::numeric_limits<double>::quiet_NaN(), -0.5}) ==
        "1234567,true,1e+300,,-0.5\n");
}

TEST_CASE("JSON lines keep types, in the order of the columns", "[interchange]") {
  const RowText rows({"z", "a"}, RowFormat::jsonl);
  CHECK(rows.header().empty());
  CHECK(rows.line({Json(), 3}) == "{\"z\":null,\"a\":3}\n");
  CHECK(rows.line({"two\nlines", 0.25}) == "{\"z\":\"two\\nlines\",\"a\":0.25}\n");
}
