CREATE TABLE t (
  k SET('a','b','c','d','e','f','g','h','i') NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
