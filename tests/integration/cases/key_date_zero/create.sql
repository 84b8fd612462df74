CREATE TABLE t (
  k DATE NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT '1999-12-31' + INTERVAL n * 37 DAY, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
INSERT INTO t VALUES ('0000-00-00', 'zero', 1), ('2024-00-00', 'zero', 1), ('2024-02-00', 'zero', 1);
