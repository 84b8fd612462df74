CREATE TABLE t (
  a INT NOT NULL, b VARCHAR(40) NOT NULL, PRIMARY KEY (a, b),
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n % 10, ELT(1 + n DIV 10 % 10, 'straße', 'Cafe', 'café', 'CAFÉ', 'naive', 'naïve', 'Øre', 'ore', 'resume ', 'résumé'), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
