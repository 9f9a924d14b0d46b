-- Where a run ran and how its plugins were built; an item of a result is found without reading the others.
ALTER TABLE runs ADD COLUMN host TEXT;
ALTER TABLE runs ADD COLUMN builds TEXT NOT NULL DEFAULT '{}';  -- JSON: plugin to what it says of its build

DROP INDEX predictions_item;
CREATE INDEX predictions_item ON predictions (result_id, item_id, port, correct);
DROP INDEX verdicts_item;
CREATE INDEX verdicts_item ON verdicts (result_id, item_id, port);
DROP INDEX grades_item;
CREATE INDEX grades_item ON grades (result_id, item_id, port);
