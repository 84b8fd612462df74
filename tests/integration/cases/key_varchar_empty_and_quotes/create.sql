CREATE TABLE t (
  k VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(ELT(1 + n % 6, '\'', '\\', '`', '\"', '%', '\n'), n), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
INSERT INTO t VALUES ('', 'empty', 1), ('\\', 'b', 1), ('\'', 'q', 1), ('\0', 'nul', 1), ('a,b', 'comma', 1);
