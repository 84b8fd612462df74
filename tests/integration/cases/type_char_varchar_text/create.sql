CREATE TABLE t (
  id INT NOT NULL PRIMARY KEY, c0 CHAR(0), c1 CHAR(1), c255 CHAR(255), v0 VARCHAR(0), v1 VARCHAR(1), v255 VARCHAR(255),
  v256 VARCHAR(256), tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT
);
INSERT INTO t SELECT n + 10, '', CHAR(65 + n % 26), REPEAT('ä', n % 255), '', 'x', REPEAT('y', n), REPEAT('z', n), REPEAT('t', n),
  REPEAT('text ', n), REPEAT('medium', n), REPEAT('long', n * 10) FROM numbers WHERE n < 200;
INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, '', '', '', '', '', '', '', '', '', '', ''), (3, '', ' ', ' a ', '', ' ', ' b ', ' c ', ' d ', ' e ', ' f ', ' g '),
  (4, '', '😀', REPEAT('😀', 255), '', '\\', 'quote \' and " and `', 'nul \0 tab \t', 'line \n', '%_', '\Z', '😀');
