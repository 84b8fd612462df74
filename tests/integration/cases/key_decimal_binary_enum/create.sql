CREATE TABLE t (
  a DECIMAL(8,3) NOT NULL, b BINARY(5) NOT NULL, c ENUM('y','x') NOT NULL, d BIGINT UNSIGNED NOT NULL, PRIMARY KEY (a, b, c, d),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT (n % 5 - 2) * 1.125, CHAR(n % 7), 1 + n % 2, 18446744073709551615 - n, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
