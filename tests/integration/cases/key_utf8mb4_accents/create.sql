CREATE TABLE t (
  k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(ELT(1 + n % 10, 'straße', 'Cafe', 'café', 'CAFÉ', 'naive', 'naïve', 'Øre', 'ore', 'resume ', 'résumé'), n DIV 20, IF(n % 3 = 0, ' ', '')), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
