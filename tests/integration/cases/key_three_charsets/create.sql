CREATE TABLE t (
  a VARCHAR(10) CHARACTER SET latin1 NOT NULL, b VARCHAR(10) CHARACTER SET utf8mb4 NOT NULL, c CHAR(4) CHARACTER SET ucs2 NOT NULL, PRIMARY KEY (c, a, b),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT('ä', n % 5), CONCAT('😀', n % 7), CONCAT('é', n % 11), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
