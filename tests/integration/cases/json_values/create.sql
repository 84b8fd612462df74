CREATE TABLE t (id INT NOT NULL PRIMARY KEY, j JSON, k JSON NOT NULL);
INSERT INTO t SELECT n + 10, JSON_OBJECT('n', n, 'f', n / 3, 'list', JSON_ARRAY(n, n + 0.5, NULL, TRUE)), JSON_ARRAY(n) FROM numbers WHERE n < 200;
INSERT INTO t VALUES (1, NULL, 'null'), (2, '1.0', '1'), (3, '1e300', '18446744073709551615'), (4, '-9223372036854775808', '0.1'),
  (5, '"text \\" \\u00e4"', '""'), (6, '{}', '[]'), (7, '{"a": {"b": [1, 2.0, "3", {"c": null}]}}', 'true'),
  (8, JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('10:11:12.000013' AS TIME(6))), CAST(CAST('2024-02-29 01:02:03' AS DATETIME) AS JSON)),
  (9, CAST(3.14159265358979 AS JSON), CAST(CAST(1.10 AS DECIMAL(10,2)) AS JSON));
