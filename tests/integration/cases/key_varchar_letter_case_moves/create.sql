CREATE TABLE t (
  k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(ELT(1 + n % 2, 'Key', 'kEY'), n DIV 2), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
