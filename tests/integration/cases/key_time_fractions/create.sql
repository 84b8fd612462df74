CREATE TABLE t (
  k TIME(6) NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT SEC_TO_TIME((n - 150) * 1.000001), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
INSERT IGNORE INTO t VALUES ('-00:00:00.000001', 'negative', 1), ('838:59:58.999999', 'g', 1);
