CREATE TABLE t (
  a INT NOT NULL, b VARCHAR(20) NOT NULL, c INT NOT NULL, UNIQUE KEY ab (a, b), UNIQUE KEY c (c),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n % 5, CONCAT('b', n), n, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
