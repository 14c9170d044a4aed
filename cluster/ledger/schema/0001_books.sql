-- The books. Every statement may be run again: a migration that was cut off half way is started over.
-- Times are Unix milliseconds, amounts fen.

-- What the first process decided, and the counters that outlive every Redis. One row.
CREATE TABLE IF NOT EXISTS setup (
  id          TINYINT UNSIGNED NOT NULL PRIMARY KEY, -- 1
  shards      INT UNSIGNED     NOT NULL,
  timezone    VARBINARY(64)    NOT NULL,
  secret      BINARY(32)       NOT NULL,
  complete    TINYINT UNSIGNED NOT NULL,
  incarnation BIGINT UNSIGNED  NOT NULL,
  epoch       BIGINT UNSIGNED  NOT NULL              -- the last one handed out
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The watermark of each shard: the last event in the books.
CREATE TABLE IF NOT EXISTS shard (
  shard       INT UNSIGNED    NOT NULL PRIMARY KEY,
  epoch       BIGINT UNSIGNED NOT NULL,
  seq         BIGINT UNSIGNED NOT NULL,
  next_offset BIGINT          NOT NULL,              -- the Kafka offset to read next
  at          BIGINT          NOT NULL,
  chain       BINARY(32)      NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Every event. The columns at, kind and campaign repeat what the event says, for people who ask in SQL.
CREATE TABLE IF NOT EXISTS journal (
  shard    INT UNSIGNED     NOT NULL,
  seq      BIGINT UNSIGNED  NOT NULL,
  epoch    BIGINT UNSIGNED  NOT NULL,
  at       BIGINT           NOT NULL,
  kind     TINYINT UNSIGNED NOT NULL,
  campaign INT UNSIGNED     NOT NULL,
  event    MEDIUMBLOB       NOT NULL,
  chain    BINARY(32)       NOT NULL,
  PRIMARY KEY (shard, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS campaign (
  id        INT UNSIGNED     NOT NULL PRIMARY KEY,
  name      VARBINARY(64)    NOT NULL,
  revision  INT UNSIGNED     NOT NULL,
  sealed_at BIGINT           NOT NULL,               -- 0: not sealed
  cancelled TINYINT UNSIGNED NOT NULL,
  UNIQUE KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Where in the journal a campaign's own events are, so that a start need not scan it.
CREATE TABLE IF NOT EXISTS campaign_event (
  campaign INT UNSIGNED    NOT NULL,
  shard    INT UNSIGNED    NOT NULL,
  seq      BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (campaign, shard, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS envelope (
  id         BIGINT UNSIGNED  NOT NULL PRIMARY KEY,  -- campaign * 2^32 + number
  uid        BIGINT UNSIGNED  NOT NULL,
  amount_fen BIGINT           NOT NULL,
  `key`      VARBINARY(64)    NOT NULL,
  won_at     BIGINT           NOT NULL,
  expires_at BIGINT           NOT NULL,
  day        INT              NOT NULL,
  revision   INT UNSIGNED     NOT NULL,
  state      TINYINT UNSIGNED NOT NULL,              -- 0 held, 1 opened, 2 refunded
  closed_at  BIGINT           NOT NULL,              -- 0: held
  KEY player (uid, won_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS wallet (
  uid         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  balance_fen BIGINT          NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS signup (
  uid      BIGINT UNSIGNED NOT NULL,
  campaign INT UNSIGNED    NOT NULL,
  at       BIGINT          NOT NULL,
  PRIMARY KEY (uid, campaign),
  KEY campaign (campaign)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Events that contradict the books: journaled, never paid.
CREATE TABLE IF NOT EXISTS conflict (
  shard    INT UNSIGNED    NOT NULL,
  seq      BIGINT UNSIGNED NOT NULL,
  envelope BIGINT UNSIGNED NOT NULL,
  uid      BIGINT UNSIGNED NOT NULL,
  what     VARBINARY(32)   NOT NULL,
  at       BIGINT          NOT NULL,
  PRIMARY KEY (shard, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Wins above a limit: recorded and paid.
CREATE TABLE IF NOT EXISTS flag (
  shard    INT UNSIGNED    NOT NULL,
  seq      BIGINT UNSIGNED NOT NULL,
  envelope BIGINT UNSIGNED NOT NULL,
  uid      BIGINT UNSIGNED NOT NULL,
  what     VARBINARY(32)   NOT NULL,
  at       BIGINT          NOT NULL,
  PRIMARY KEY (shard, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How far each campaign's bank may lease; only ever raised.
CREATE TABLE IF NOT EXISTS bank_mark (
  campaign INT UNSIGNED    NOT NULL PRIMARY KEY,
  mark     BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
