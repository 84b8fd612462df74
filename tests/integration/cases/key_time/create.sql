CREATE TABLE t (
  k TIME NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT SEC_TO_TIME((n - 150) * 20000), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
INSERT IGNORE INTO t VALUES ('-838:59:59', 'least', 1), ('838:59:59', 'greatest', 1), ('-00:00:01', 'negative', 1);
