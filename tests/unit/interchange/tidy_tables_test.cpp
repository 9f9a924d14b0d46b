#include "interchange/tidy_tables.h"

#include <catch2/catch.hpp>

#include "unit/interchange/study.h"

using namespace lowbit;
using namespace lowbit::interchange;
using lowbit::test::small_study;

TEST_CASE("results have a row a metric, and a row for what failed", "[interchange]") {
  const ExportedStudy study = small_study();
  CHECK(
      TidyTables(study, RowFormat::csv).results() ==
      "experiment,stage,label,num_bits,seed,plugin,version,kind,status,result_id,content_key,metric,unit,value,std_"
      "error,"
      "count,ended_at,seconds\n"
      "small,task,task,,,lowbit.few-shot,1,dataset,done,1,1111,,,,,,2026-11-23T10:00:01.000Z,4.5\n"
      "small,round,round[num_bits=3],3,,lowbit.gptq,4,quantizer,done,2,2222,weights/bits_per_weight,bits,3.25,,0,"
      "2026-11-23T10:00:20.000Z,4.5\n"
      "small,round,round[num_bits=3],3,,lowbit.gptq,4,quantizer,done,2,2222,weights/nmse,ratio,,,0,"
      "2026-11-23T10:00:20.000Z,4.5\n"
      "small,round,round[num_bits=2],2,,lowbit.gptq,4,,failed,,,,,,,,,\n"
      "small,score,\"score[num_bits=3,seed=7]\",3,7,lowbit.generate,5,evaluator,done,3,3333,model/"
      "weight_bits,bits,3.0,,"
      "0,2026-11-23T10:00:40.250Z,4.5\n"
      "small,score,\"score[num_bits=3,seed=7]\",3,7,lowbit.generate,5,evaluator,done,3,3333,sums/accuracy,fraction,0.5,"
      "0.25,4,2026-11-23T10:00:40.250Z,4.5\n"
      "small,score,\"score[num_bits=3,seed=7]\",3,7,lowbit.generate,5,evaluator,done,3,3333,sums/"
      "n_correct,items,2.0,,0,"
      "2026-11-23T10:00:40.250Z,4.5\n"
      "small,score,\"score[num_bits=3,seed=7]\",3,7,lowbit.generate,5,evaluator,done,3,3333,sums/n_total,items,4.0,,0,"
      "2026-11-23T10:00:40.250Z,4.5\n"
      "small,score,\"score[num_bits=3,seed=7]\",3,7,lowbit.generate,5,evaluator,done,3,3333,sums/perplexity/word@64,"
      "ratio,12.5,,80,2026-11-23T10:00:40.250Z,4.5\n");
}

TEST_CASE("only what is chosen is there, with its axes", "[interchange]") {
  ExportedStudy study = small_study();
  study.chosen = {0};
  CHECK(TidyTables(study, RowFormat::csv).params() ==
        "experiment,stage,label,seed,plugin,version,kind,status,result_id,content_key,param,value\n"
        "small,task,task,,lowbit.few-shot,1,dataset,done,1,1111,num_fewshot,3\n");
}

TEST_CASE("an axis that is called like a column stands beside it", "[interchange]") {
  ExportedStudy study = small_study();
  study.variants[3].variant.axes = {{"plugin", "a"}, {"curve", 1}};
  study.chosen = {3};
  const TidyTables tables(study, RowFormat::jsonl);
  const Json point = Json::parse(tables.curve_line(
      study.variants[3], {.name = "train/loss", .step = 5, .unit = "nats", .value = {}, .std_error = {}, .count = 2}));
  CHECK(point["axis_plugin"] == "a");
  CHECK(point["plugin"] == "lowbit.generate");
  CHECK(point["axis_curve"] == 1);
  CHECK(point["curve"] == "train/loss");
  CHECK(point["value"].is_null());
  CHECK(point["count"] == 2);
}

TEST_CASE("an item keeps its fields and says which variant it is of", "[interchange]") {
  const ExportedStudy study = small_study();
  const TidyTables tables(study, RowFormat::csv);
  CHECK(
      tables.item_line(study.variants[3], {.port = "predictions",
                                           .item_id = "i1",
                                           .fields = {{"text", "4\n"}, {"correct", true}, {"label", "mine"}}}) ==
      R"({"axes":{"num_bits":3},"correct":true,"experiment":"small","item_id":"i1","label":"score[num_bits=3,seed=7]",)"
      R"("port":"predictions","result_id":3,"seed":7,"stage":"score","text":"4\n"})"
      "\n");
}
