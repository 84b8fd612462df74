CREATE TABLE t (
  k DATE NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT '1999-12-31' + INTERVAL n * 37 DAY, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
INSERT INTO t VALUES ('1000-01-01', 'least', 1), ('9999-12-31', 'greatest', 1);
