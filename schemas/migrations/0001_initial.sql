-- results.db, schema version 1. Every table and view is described in docs/results-schema.md.
-- Conventions: digests and keys are 64 lower-case hexadecimal digits; times are RFC 3339 UTC; paths are relative to the
-- directory of this file; JSON columns hold canonical JSON (sorted keys, no spaces); booleans are 0 and 1.

CREATE TABLE meta (
  key    TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The one process that may write: each take-over raises the epoch, and a writer of an older epoch is refused.
CREATE TABLE lease (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  epoch     INTEGER NOT NULL,
  host      TEXT NOT NULL,
  boot_id   TEXT NOT NULL,
  pid       INTEGER NOT NULL,
  taken_at  TEXT NOT NULL
) STRICT;

-- ---- What was asked for ----------------------------------------------------------------------------------------

-- One invocation of `lowbit run`.
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

CREATE TABLE experiments (
  experiment   TEXT PRIMARY KEY,
  file         TEXT NOT NULL,
  expanded_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last expansion of each experiment: every stage at every point of its axes.
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
CREATE INDEX expansions_provenance_key ON expansions (provenance_key);

CREATE TABLE expansion_axes (
  expansion_id  INTEGER NOT NULL REFERENCES expansions ON DELETE CASCADE,
  axis          TEXT NOT NULL,
  position      INTEGER NOT NULL,  -- order in which the experiment declares its axes
  value         ANY,               -- number or text; true and false are 1 and 0
  PRIMARY KEY (expansion_id, axis)
) STRICT, WITHOUT ROWID;

-- ---- What happened -----------------------------------------------------------------------------------------------

-- One execution of one content key. state: 1 running, 2 done, 3 failed, 4 cancelled, 5 lost.
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
CREATE INDEX attempts_content_key ON attempts (content_key);
CREATE INDEX attempts_provenance_key ON attempts (provenance_key);
CREATE INDEX attempts_running ON attempts (attempt_id) WHERE state = 1;

-- A stored success. One of a content key is current; those it replaced stay.
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
CREATE UNIQUE INDEX results_current ON results (content_key) WHERE is_current = 1;
CREATE INDEX results_own_digest ON results (own_digest);

-- Which content key a plan-time key led to.
CREATE TABLE provenance (
  provenance_key  TEXT PRIMARY KEY,
  content_key     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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
CREATE INDEX artifacts_digest ON artifacts (digest);

-- What an artifact is based on (an adapter on its model); the base may be an external file.
CREATE TABLE artifact_bases (
  result_id  INTEGER NOT NULL,
  port       TEXT NOT NULL,
  position   INTEGER NOT NULL,
  base       TEXT NOT NULL,  -- digest
  PRIMARY KEY (result_id, port, position),
  FOREIGN KEY (result_id, port) REFERENCES artifacts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- ---- What was measured -------------------------------------------------------------------------------------------

CREATE TABLE params (
  result_id  INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  name       TEXT NOT NULL,
  value      ANY,  -- number or text; true and false are 1 and 0; lists and objects are JSON text
  PRIMARY KEY (result_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX params_name ON params (name, value);

-- Final metrics. Fractions, not percent.
CREATE TABLE metrics (
  result_id  INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  name       TEXT NOT NULL,
  unit       TEXT NOT NULL,
  value      REAL,              -- null: not a number
  std_error  REAL,              -- of the mean over `count` items
  count      INTEGER NOT NULL,  -- items averaged over; 0: not an average
  PRIMARY KEY (result_id, name)
) STRICT, WITHOUT ROWID;

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

-- Items of predictions/1, verdicts/1 and grades/1 artifacts. `fields` is the whole line; the other columns repeat the
-- fields that are asked for most, null where absent or of another type.
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
CREATE INDEX predictions_item ON predictions (result_id, port, item_id, correct);

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
CREATE INDEX verdicts_item ON verdicts (result_id, port, item_id);

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
CREATE INDEX grades_item ON grades (result_id, port, item_id);

-- Digests of files from outside, valid while their fingerprint is unchanged.
CREATE TABLE external_digests (
  path         TEXT PRIMARY KEY,
  fingerprint  TEXT NOT NULL,
  digest       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- ---- Views for people: the last expansion of each experiment, not history ---------------------------------------

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

-- Over seeds: sample standard deviation (n - 1); null for n = 1.
CREATE VIEW v_agg AS
SELECT experiment, stage, axes, plugin, metric, unit, mean,
       CASE WHEN n > 1 THEN sqrt(sum((value - mean) * (value - mean)) / (n - 1)) END AS std, n
FROM (
  SELECT experiment, stage, axes, plugin, metric, unit, value, avg(value) OVER cell AS mean, count(value) OVER cell AS n
  FROM v_results
  WINDOW cell AS (PARTITION BY experiment, stage, axes, plugin, metric, unit)
)
GROUP BY experiment, stage, axes, plugin, metric, unit;

-- Items on which two results for the same task disagree. Each pair appears in both directions.
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
