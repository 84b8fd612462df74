CREATE TABLE t (
  a TIME(3) NOT NULL, b BIT(9) NOT NULL, c YEAR NOT NULL, PRIMARY KEY (b, a, c),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT SEC_TO_TIME((n % 9 - 4) * 1.5), n % 11, 2000 + n % 13, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
