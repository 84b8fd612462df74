CREATE TABLE t (
  a INT NOT NULL, k TIME(1) NOT NULL, PRIMARY KEY (a, k),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n % 5, SEC_TO_TIME((n - 150) * 100.5), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
