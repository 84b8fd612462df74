CREATE TABLE t (
  a INT NOT NULL, k ENUM('zebra','ape','10') NOT NULL, PRIMARY KEY (k, a),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n DIV 3, 1 + n % 3, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
