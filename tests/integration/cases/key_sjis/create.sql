CREATE TABLE t (
  k VARCHAR(40) CHARACTER SET sjis NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(ELT(1 + n % 4, '日本', '表', 'ソ', 'ab'), n DIV 2), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
