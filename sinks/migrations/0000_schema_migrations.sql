CREATE TABLE IF NOT EXISTS {database}.schema_migrations
(
    number UInt32 COMMENT 'Number of the migration; they are applied in this order.',
    name String COMMENT 'File name of the migration.',
    checksum FixedString(64) COMMENT 'SHA-256 of the file, hex; a file that was applied is never edited.',
    applied_at DateTime64(6, 'UTC') COMMENT 'When it was applied.'
)
ENGINE = ReplacingMergeTree
ORDER BY number
COMMENT 'Which migrations this database has.';
