CREATE TABLE t (
  a INT NOT NULL, k SET('a','b','c') NOT NULL, z DATE NOT NULL, PRIMARY KEY (a, k, z),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n % 7, n % 8, '2024-01-01' + INTERVAL n DAY, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
