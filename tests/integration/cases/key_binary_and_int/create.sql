CREATE TABLE t (
  a INT NOT NULL, k BINARY(4) NOT NULL, PRIMARY KEY (k, a),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n % 9, UNHEX(RPAD(LPAD(HEX(n DIV 3), 2, '0'), 8, '0')), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
