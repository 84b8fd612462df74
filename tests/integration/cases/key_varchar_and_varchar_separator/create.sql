CREATE TABLE t (
  a VARCHAR(20) NOT NULL, b VARCHAR(20) NOT NULL, PRIMARY KEY (a, b),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT REPEAT('a', n % 17), REPEAT('a', n DIV 17), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
