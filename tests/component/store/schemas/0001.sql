-- A results.db of schema version 1, as the lowbit of that version left it. Never edited: migrations are tested on it.
PRAGMA application_id = 1819244386;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE artifact_bases (
  result_id  INTEGER NOT NULL,
  port       TEXT NOT NULL,
  position   INTEGER NOT NULL,
  base       TEXT NOT NULL,  -- digest
  PRIMARY KEY (result_id, port, position),
  FOREIGN KEY (result_id, port) REFERENCES artifacts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO "artifact_bases" VALUES(1,'out',0,'cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2');
CREATE TABLE artifacts (
  result_id  INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  port       TEXT NOT NULL,
  type       TEXT NOT NULL,  -- quantized-model/1
  digest     TEXT NOT NULL,
  path       TEXT NOT NULL,
  bytes      INTEGER NOT NULL,
  summary    TEXT,           -- JSON
  PRIMARY KEY (result_id, port)
) STRICT, WITHOUT ROWID;
INSERT INTO "artifacts" VALUES(1,'out','adapter/1','fe0567458a7be6ffa6f83559a82fe0114b68df295931e9c79351570fcfdcc5f4','results/a6/a6cfb8c451eafa573b6870ed4da9851ed4db5ad1aa68081d327610bbf21c6ba7-nonce0/out/out',100,NULL);
INSERT INTO "artifacts" VALUES(2,'out','predictions/1','5af731def85b051364307e0e38a3f0b6524ebfd954c5bd159b967bcbcc0801ca','results/5b/5b91910457186f4a4b63e022f9e8b4f714aa1ff67b306859ad5380a905df1d0c-nonce1/out/out',101,NULL);
INSERT INTO "artifacts" VALUES(3,'out','predictions/1','2e4fff71ac01567518f9540f6086a881e004e8cc883247abad61ac6b1d7f47e1','results/f3/f3a0d31f48cd6d6ea8a1c662c170fb8a252becb4f7eda113b006ebee98991c5b-nonce2/out/out',102,NULL);
CREATE TABLE attempts (
  attempt_id      INTEGER PRIMARY KEY,
  run_id          INTEGER NOT NULL REFERENCES runs,
  content_key     TEXT NOT NULL,
  provenance_key  TEXT,  -- of the variant it was started for
  number          INTEGER NOT NULL,
  nonce           TEXT NOT NULL,
  directory       TEXT NOT NULL,
  label           TEXT NOT NULL,
  state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
  started_at      TEXT NOT NULL,
  ended_at        TEXT,
  seconds         REAL,
  environment     TEXT,  -- JSON
  failure         TEXT   -- JSON
) STRICT;
INSERT INTO "attempts" VALUES(1,1,'a6cfb8c451eafa573b6870ed4da9851ed4db5ad1aa68081d327610bbf21c6ba7','442345558837a4d187f44c0ecf6f5be382e45d58af19d4bc3ee2cf48187ca19e',1,'nonce0','work/a6cfb8c451eafa573b6870ed4da9851ed4db5ad1aa68081d327610bbf21c6ba7/a1-nonce0','model',2,'2026-02-01T00:00:01.000Z','2026-02-01T00:00:02.000Z',1.5,'{}',NULL);
INSERT INTO "attempts" VALUES(2,1,'5b91910457186f4a4b63e022f9e8b4f714aa1ff67b306859ad5380a905df1d0c','293556665f832ac9150603cd88b7934669a4f0c17f88637d5fdf462ba96bfff5',1,'nonce1','work/5b91910457186f4a4b63e022f9e8b4f714aa1ff67b306859ad5380a905df1d0c/a1-nonce1','score[seed=0]',2,'2026-02-01T00:00:01.000Z','2026-02-01T00:00:02.000Z',1.5,'{}',NULL);
INSERT INTO "attempts" VALUES(3,1,'f3a0d31f48cd6d6ea8a1c662c170fb8a252becb4f7eda113b006ebee98991c5b','13cd072cd192182c2cebb4caed0ea9a3da04b9f88fc7185c54c037ff26eeef3e',1,'nonce2','work/f3a0d31f48cd6d6ea8a1c662c170fb8a252becb4f7eda113b006ebee98991c5b/a1-nonce2','score[seed=1]',2,'2026-02-01T00:00:01.000Z','2026-02-01T00:00:02.000Z',1.5,'{}',NULL);
CREATE TABLE curves (
  result_id  INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  name       TEXT NOT NULL,
  step       INTEGER NOT NULL CHECK (step >= 0),
  unit       TEXT NOT NULL,
  value      REAL,
  std_error  REAL,
  count      INTEGER NOT NULL,
  PRIMARY KEY (result_id, name, step)
) STRICT, WITHOUT ROWID;
INSERT INTO "curves" VALUES(2,'loss',1,'nats',2.5,NULL,0);
INSERT INTO "curves" VALUES(3,'loss',1,'nats',2.5,NULL,0);
CREATE TABLE expansion_axes (
  expansion_id  INTEGER NOT NULL REFERENCES expansions ON DELETE CASCADE,
  axis          TEXT NOT NULL,
  position      INTEGER NOT NULL,  -- order in which the experiment declares its axes
  value         ANY,               -- number or text; true and false are 1 and 0
  PRIMARY KEY (expansion_id, axis)
) STRICT, WITHOUT ROWID;
INSERT INTO "expansion_axes" VALUES(2,'seed',0,0);
INSERT INTO "expansion_axes" VALUES(3,'seed',0,1);
CREATE TABLE expansions (
  expansion_id       INTEGER PRIMARY KEY,
  experiment         TEXT NOT NULL REFERENCES experiments ON DELETE CASCADE,
  position           INTEGER NOT NULL,  -- order of the plan
  stage              TEXT NOT NULL,
  label              TEXT NOT NULL,     -- quantize[num_bits=3]
  coordinates        TEXT NOT NULL,     -- JSON
  plugin             TEXT NOT NULL,
  provenance_key     TEXT NOT NULL,
  provenance_record  TEXT NOT NULL,     -- JSON
  UNIQUE (experiment, stage, coordinates)
) STRICT;
INSERT INTO "expansions" VALUES(1,'study',0,'model','model','{}','toy.model','442345558837a4d187f44c0ecf6f5be382e45d58af19d4bc3ee2cf48187ca19e','{"inputs":{}}');
INSERT INTO "expansions" VALUES(2,'study',1,'score','score[seed=0]','{"seed":0}','toy.score','293556665f832ac9150603cd88b7934669a4f0c17f88637d5fdf462ba96bfff5','{"inputs":{}}');
INSERT INTO "expansions" VALUES(3,'study',2,'score','score[seed=1]','{"seed":1}','toy.score','13cd072cd192182c2cebb4caed0ea9a3da04b9f88fc7185c54c037ff26eeef3e','{"inputs":{}}');
CREATE TABLE experiments (
  experiment   TEXT PRIMARY KEY,
  file         TEXT NOT NULL,
  expanded_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "experiments" VALUES('study','study.yaml','2026-02-01T00:00:00.000Z');
CREATE TABLE external_digests (
  path         TEXT PRIMARY KEY,
  fingerprint  TEXT NOT NULL,
  digest       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "external_digests" VALUES('/data/x','f','2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881');
CREATE TABLE grades (
  grade_id          INTEGER PRIMARY KEY,
  result_id         INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  port              TEXT NOT NULL,
  item_id           TEXT NOT NULL,
  problem_id        TEXT,
  correct           INTEGER,
  source            TEXT,
  category          TEXT,
  type              TEXT,
  first_error_step  INTEGER,
  fields            TEXT NOT NULL  -- JSON
) STRICT;
INSERT INTO "grades" VALUES(1,2,'out','item-0','problem-0',1,'judge',NULL,NULL,NULL,'{}');
CREATE TABLE lease (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  epoch     INTEGER NOT NULL,
  host      TEXT NOT NULL,
  boot_id   TEXT NOT NULL,
  pid       INTEGER NOT NULL,
  taken_at  TEXT NOT NULL
) STRICT;
INSERT INTO "lease" VALUES(1,3,'host-a','boot-a',17,'2026-02-01T00:00:00.000Z');
CREATE TABLE meta (
  key    TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('about','results of lowbit; docs/results-schema.md');
INSERT INTO "meta" VALUES('schema_version_1_at','2026-02-01T00:00:00.000Z');
CREATE TABLE metrics (
  result_id  INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  name       TEXT NOT NULL,
  unit       TEXT NOT NULL,
  value      REAL,              -- null: not a number
  std_error  REAL,              -- of the mean over `count` items
  count      INTEGER NOT NULL,  -- items averaged over; 0: not an average
  PRIMARY KEY (result_id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "metrics" VALUES(2,'toy/accuracy','fraction',0.5,0.1,4);
INSERT INTO "metrics" VALUES(3,'toy/accuracy','fraction',0.75,0.1,4);
CREATE TABLE params (
  result_id  INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  name       TEXT NOT NULL,
  value      ANY,  -- number or text; true and false are 1 and 0; lists and objects are JSON text
  PRIMARY KEY (result_id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "params" VALUES(1,'n',0);
INSERT INTO "params" VALUES(2,'n',1);
INSERT INTO "params" VALUES(3,'n',2);
CREATE TABLE predictions (
  prediction_id  INTEGER PRIMARY KEY,
  result_id      INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  port           TEXT NOT NULL,
  item_id        TEXT NOT NULL,
  problem_id     TEXT,
  correct        INTEGER,
  extracted      TEXT,
  n_tokens       INTEGER,
  truncated      INTEGER,
  fields         TEXT NOT NULL  -- JSON
) STRICT;
INSERT INTO "predictions" VALUES(2,2,'out','item-0','problem-0',1,'4',1,0,'{"item_id":"item-0"}');
INSERT INTO "predictions" VALUES(3,2,'out','item-1','problem-1',0,'4',1,0,'{"item_id":"item-1"}');
INSERT INTO "predictions" VALUES(4,3,'out','item-0','problem-0',0,'4',1,0,'{"item_id":"item-0"}');
INSERT INTO "predictions" VALUES(5,3,'out','item-1','problem-1',1,'4',1,0,'{"item_id":"item-1"}');
CREATE TABLE provenance (
  provenance_key  TEXT PRIMARY KEY,
  content_key     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "provenance" VALUES('13cd072cd192182c2cebb4caed0ea9a3da04b9f88fc7185c54c037ff26eeef3e','f3a0d31f48cd6d6ea8a1c662c170fb8a252becb4f7eda113b006ebee98991c5b');
INSERT INTO "provenance" VALUES('293556665f832ac9150603cd88b7934669a4f0c17f88637d5fdf462ba96bfff5','5b91910457186f4a4b63e022f9e8b4f714aa1ff67b306859ad5380a905df1d0c');
INSERT INTO "provenance" VALUES('442345558837a4d187f44c0ecf6f5be382e45d58af19d4bc3ee2cf48187ca19e','a6cfb8c451eafa573b6870ed4da9851ed4db5ad1aa68081d327610bbf21c6ba7');
CREATE TABLE results (
  result_id       INTEGER PRIMARY KEY,
  content_key     TEXT NOT NULL,
  is_current      INTEGER NOT NULL CHECK (is_current IN (0, 1)),
  attempt_id      INTEGER NOT NULL UNIQUE REFERENCES attempts,
  plugin          TEXT NOT NULL,
  kind            TEXT NOT NULL,
  plugin_digest   TEXT NOT NULL,
  own_digest      TEXT NOT NULL,  -- SHA-256 of own_record
  own_record      TEXT NOT NULL,  -- JSON: the recipe without its inputs
  content_record  TEXT NOT NULL,  -- JSON: the recipe with the digests of its inputs; its SHA-256 is content_key
  directory       TEXT NOT NULL,
  ended_at        TEXT NOT NULL,
  seconds         REAL NOT NULL
) STRICT;
INSERT INTO "results" VALUES(1,'a6cfb8c451eafa573b6870ed4da9851ed4db5ad1aa68081d327610bbf21c6ba7',1,1,'toy.model','dataset','a1d9890884c1b4b960c279cfe7554a900d169422d6cec980beef67761487d3b9','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','{}','{"inputs":{},"params":{"n":0}}','results/a6/a6cfb8c451eafa573b6870ed4da9851ed4db5ad1aa68081d327610bbf21c6ba7-nonce0','2026-02-01T00:00:02.000Z',1.5);
INSERT INTO "results" VALUES(2,'5b91910457186f4a4b63e022f9e8b4f714aa1ff67b306859ad5380a905df1d0c',1,2,'toy.score','evaluator','a1d9890884c1b4b960c279cfe7554a900d169422d6cec980beef67761487d3b9','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','{}','{"inputs":{},"params":{"n":1}}','results/5b/5b91910457186f4a4b63e022f9e8b4f714aa1ff67b306859ad5380a905df1d0c-nonce1','2026-02-01T00:00:02.000Z',1.5);
INSERT INTO "results" VALUES(3,'f3a0d31f48cd6d6ea8a1c662c170fb8a252becb4f7eda113b006ebee98991c5b',1,3,'toy.score','evaluator','a1d9890884c1b4b960c279cfe7554a900d169422d6cec980beef67761487d3b9','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','{}','{"inputs":{},"params":{"n":2}}','results/f3/f3a0d31f48cd6d6ea8a1c662c170fb8a252becb4f7eda113b006ebee98991c5b-nonce2','2026-02-01T00:00:02.000Z',1.5);
CREATE TABLE runs (
  run_id      INTEGER PRIMARY KEY,
  experiment  TEXT NOT NULL,
  file        TEXT NOT NULL,
  command     TEXT NOT NULL,
  versions    TEXT NOT NULL,  -- JSON
  epoch       INTEGER NOT NULL,
  started_at  TEXT NOT NULL,
  ended_at    TEXT,
  outcome     TEXT
) STRICT;
INSERT INTO "runs" VALUES(1,'study','study.yaml','lowbit run study.yaml','{}',3,'2026-02-01T00:00:00.000Z','2026-02-01T00:01:00.000Z','done');
CREATE TABLE verdicts (
  verdict_id        INTEGER PRIMARY KEY,
  result_id         INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  port              TEXT NOT NULL,
  item_id           TEXT NOT NULL,
  judge             TEXT,
  first_error_step  INTEGER,
  category          TEXT,
  type              TEXT,
  confidence        REAL,
  status            TEXT,
  fields            TEXT NOT NULL  -- JSON
) STRICT;
INSERT INTO "verdicts" VALUES(1,2,'out','item-0','toy',1,'execution','computational_error',0.5,'error','{}');
CREATE INDEX expansions_provenance_key ON expansions (provenance_key);
CREATE INDEX attempts_content_key ON attempts (content_key);
CREATE INDEX attempts_provenance_key ON attempts (provenance_key);
CREATE INDEX attempts_running ON attempts (attempt_id) WHERE state = 1;
CREATE UNIQUE INDEX results_current ON results (content_key) WHERE is_current = 1;
CREATE INDEX results_own_digest ON results (own_digest);
CREATE INDEX artifacts_digest ON artifacts (digest);
CREATE INDEX params_name ON params (name, value);
CREATE INDEX predictions_item ON predictions (result_id, port, item_id, correct);
CREATE INDEX verdicts_item ON verdicts (result_id, port, item_id);
CREATE INDEX grades_item ON grades (result_id, port, item_id);
CREATE VIEW v_stages AS
SELECT e.experiment, e.stage, e.label, e.coordinates,
       json_remove(e.coordinates, '$.seed') AS axes, json_extract(e.coordinates, '$.seed') AS seed, e.plugin,
       CASE
         WHEN a.state = 1 THEN 'running'
         WHEN r.result_id IS NOT NULL THEN 'done'
         WHEN a.state = 3 THEN 'failed'
         WHEN a.state = 4 THEN 'cancelled'
         WHEN a.state = 5 THEN 'lost'
         ELSE 'never'
       END AS state,
       a.attempt_id, a.number AS attempt, a.started_at, a.ended_at, a.seconds,
       json_extract(a.failure, '$.what') AS failure, r.result_id
FROM expansions e
LEFT JOIN provenance p ON p.provenance_key = e.provenance_key
LEFT JOIN results r ON r.content_key = p.content_key AND r.is_current = 1
LEFT JOIN attempts a ON a.attempt_id =
  coalesce((SELECT max(attempt_id) FROM attempts WHERE provenance_key = e.provenance_key), r.attempt_id)
ORDER BY e.experiment, e.position;
CREATE VIEW v_results AS
SELECT e.experiment, e.stage, e.label, e.coordinates,
       json_remove(e.coordinates, '$.seed') AS axes, json_extract(e.coordinates, '$.seed') AS seed, e.plugin,
       m.name AS metric, m.unit, m.value, m.std_error, m.count, r.result_id
FROM expansions e
JOIN provenance p ON p.provenance_key = e.provenance_key
JOIN results r ON r.content_key = p.content_key AND r.is_current = 1
JOIN metrics m ON m.result_id = r.result_id;
CREATE VIEW v_agg AS
SELECT experiment, stage, axes, plugin, metric, unit, mean,
       CASE WHEN n > 1 THEN sqrt(sum((value - mean) * (value - mean)) / (n - 1)) END AS std, n
FROM (
  SELECT experiment, stage, axes, plugin, metric, unit, value, avg(value) OVER cell AS mean, count(value) OVER cell AS n
  FROM v_results
  WINDOW cell AS (PARTITION BY experiment, stage, axes, plugin, metric, unit)
)
GROUP BY experiment, stage, axes, plugin, metric, unit;
CREATE VIEW v_flips AS
WITH side AS (
  SELECT e.experiment, e.stage, e.label, e.coordinates, r.result_id, json_extract(r.content_record, '$.inputs.task') AS task
  FROM expansions e
  JOIN provenance p ON p.provenance_key = e.provenance_key
  JOIN results r ON r.content_key = p.content_key AND r.is_current = 1
  WHERE r.kind = 'evaluator'
)
SELECT a.experiment, a.stage AS stage_a, a.label AS label_a, a.coordinates AS coordinates_a,
       b.stage AS stage_b, b.label AS label_b, b.coordinates AS coordinates_b,
       pa.item_id, pa.problem_id, pa.correct AS correct_a, pb.correct AS correct_b,
       a.result_id AS result_a, b.result_id AS result_b
FROM side a
JOIN side b ON b.experiment = a.experiment AND b.task IS a.task AND b.result_id <> a.result_id
JOIN predictions pa ON pa.result_id = a.result_id
JOIN predictions pb ON pb.result_id = b.result_id AND pb.port = pa.port AND pb.item_id = pa.item_id
WHERE pa.correct <> pb.correct;
CREATE VIEW v_verdicts AS
SELECT e.experiment, e.stage, e.label, e.coordinates,
       json_remove(e.coordinates, '$.seed') AS axes, json_extract(e.coordinates, '$.seed') AS seed, e.plugin,
       v.item_id, v.judge, v.first_error_step, v.category, v.type, v.confidence, v.status, v.result_id
FROM expansions e
JOIN provenance p ON p.provenance_key = e.provenance_key
JOIN results r ON r.content_key = p.content_key AND r.is_current = 1
JOIN verdicts v ON v.result_id = r.result_id;
COMMIT;
