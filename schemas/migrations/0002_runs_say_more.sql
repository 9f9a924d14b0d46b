-- Where a run ran and how its plugins were built; what an experiment was expanded from; an item of a result is found
-- without reading the others.
ALTER TABLE runs ADD COLUMN host TEXT;
ALTER TABLE runs ADD COLUMN builds TEXT NOT NULL DEFAULT '{}';  -- JSON: plugin to what it says of its build
ALTER TABLE experiments ADD COLUMN options TEXT NOT NULL DEFAULT '';  -- of the command: --set 'seeds=[3]'
ALTER TABLE experiments ADD COLUMN text TEXT;  -- of the file as it was then; null: not recorded

DROP INDEX predictions_item;
CREATE INDEX predictions_item ON predictions (result_id, item_id, port, correct);
DROP INDEX verdicts_item;
CREATE INDEX verdicts_item ON verdicts (result_id, item_id, port);
DROP INDEX grades_item;
CREATE INDEX grades_item ON grades (result_id, item_id, port);
