CREATE TABLE t (
  k INT NOT NULL, PRIMARY KEY (k DESC),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n * 3, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
