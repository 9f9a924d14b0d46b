#include "interchange/file_names.h"

#include <catch2/catch.hpp>

using namespace lowbit::interchange;

TEST_CASE("a model's name is sanitized as lm-evaluation-harness does it", "[interchange]") {
  // re.sub(r'["<>:/|\\?*\[\]]+', "__", name), by Python.
  CHECK(sanitized_model_name("restore[num_bits=3,seed=10]") == "restore__num_bits=3,seed=10__");
  CHECK(sanitized_model_name("org/model") == "org__model");
  CHECK(sanitized_model_name("a<>b:\\c") == "a__b__c");
}

TEST_CASE("names that are too long for a file are cut and stay different", "[interchange]") {
  const std::string long_name(300, 'a');
  CHECK(sanitized_model_name(long_name).size() < 200);
  CHECK(sanitized_model_name(long_name) != sanitized_model_name(long_name + "b"));
  CHECK(path_part(long_name) != path_part(long_name + "b"));
}

TEST_CASE("a part of a path leads nowhere else", "[interchange]") {
  CHECK(path_part("quantizer=gptq,num_bits=3") == "quantizer=gptq,num_bits=3");
  CHECK(path_part("..").find('/') == std::string::npos);
  CHECK(path_part("..") != "..");
  CHECK_FALSE(path_part("").empty());
  CHECK(path_part("org/model").find('/') == std::string::npos);
  CHECK(path_part("org/model") != path_part("org_model"));
}
