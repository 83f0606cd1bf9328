-- The evidence store, version 4. Everything in it is appended; nothing is changed or removed (triggers see to it).
-- Version 1 had no raw output, and counted by what one quantity says; version 2 no documents; version 3 no chain. Opening
-- such a store adds what it lacks.

CREATE TABLE IF NOT EXISTS campaign (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  campaign TEXT NOT NULL,                       -- UUID
  plant TEXT NOT NULL                           -- the plant as resolved, YAML
);
CREATE TABLE IF NOT EXISTS profiles (
  position INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL                            -- the profile as resolved, YAML
);
CREATE TABLE IF NOT EXISTS facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS owed (                             -- errors that say nothing of the target (reports/effective.py)
  error TEXT PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS sessions (                         -- one for each time that the store was opened
  run INTEGER PRIMARY KEY,
  utc_ns INTEGER NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS observations (
  id INTEGER PRIMARY KEY,                       -- order of insertion
  "method" TEXT NOT NULL,
  "vantage" TEXT NOT NULL,
  "target" TEXT NOT NULL,
  "address" TEXT NOT NULL,
  "quantity" TEXT NOT NULL,
  "value" BLOB,                                 -- a float as it is; NaN as the text 'nan', which SQLite has no number for
  "unit" TEXT NOT NULL,
  "error" TEXT,
  "window" INTEGER NOT NULL,
  "attempt" INTEGER NOT NULL,
  "utc_ns" INTEGER NOT NULL,
  "monotonic_ns" INTEGER NOT NULL,
  "detail" TEXT NOT NULL,
  "run" INTEGER NOT NULL,
  "port" GENERATED ALWAYS AS (CASE WHEN json_valid("detail") THEN json_extract("detail", '$.port') END) VIRTUAL
);
CREATE INDEX IF NOT EXISTS observations_by_object ON observations ("method", "target", "window", "attempt");
CREATE TABLE IF NOT EXISTS results (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  utc_ns INTEGER NOT NULL,
  item TEXT NOT NULL,
  record TEXT NOT NULL                          -- reports.result.Result as JSON
);
CREATE INDEX IF NOT EXISTS results_by_item ON results (item, id);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  utc_ns INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  facts TEXT NOT NULL                           -- a JSON object of texts
);

CREATE TABLE IF NOT EXISTS raw (                -- what instruments and tools said
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  utc_ns INTEGER NOT NULL,
  "vantage" TEXT NOT NULL,
  "method" TEXT NOT NULL,
  "window" INTEGER NOT NULL,
  name TEXT NOT NULL,                           -- a path of plain names (probes/raw.py)
  text TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS documents (           -- what people wrote beside the plant: waivers, particulars
  id INTEGER PRIMARY KEY,                       -- the latest of a name counts
  run INTEGER NOT NULL,
  utc_ns INTEGER NOT NULL,
  name TEXT NOT NULL,                           -- of the file in the bundle
  text TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS chain (              -- links everything that was kept (reports/chain.py)
  entry INTEGER PRIMARY KEY,                    -- from 1
  kind TEXT NOT NULL,
  run INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  utc_ns INTEGER NOT NULL,
  adopted INTEGER NOT NULL,                     -- 1: kept before there was a chain
  subject TEXT NOT NULL,
  link BLOB NOT NULL                            -- SHA-256
);

-- Of all sessions that made the attempt of the row "o", one counts: that in which most of its quantities say something;
-- of several such, the latest.
DROP VIEW IF EXISTS effective;
CREATE VIEW effective AS
SELECT o.* FROM observations AS o
WHERE o."run" = (
  SELECT made."run" FROM observations AS made
  WHERE made."method" = o."method" AND made."target" = o."target"
    AND made."window" = o."window" AND made."attempt" = o."attempt"
    AND made."vantage" = o."vantage" AND made."address" = o."address" AND made."port" IS o."port"
  GROUP BY made."run"
  ORDER BY count(DISTINCT CASE WHEN made."error" IS NULL OR made."error" NOT IN owed THEN made."quantity" END) DESC,
    made."run" DESC
  LIMIT 1
);
