-- The hour that Central Europe has twice, and the one that it skips, as moments.
SET time_zone = '+00:00';
CREATE TABLE t (id INT NOT NULL PRIMARY KEY, ts TIMESTAMP(3) NULL, d DATETIME(3), KEY (ts));
INSERT INTO t SELECT n, '2024-10-27 00:00:00.125' + INTERVAL n MINUTE, '2024-10-27 02:00:00.125' + INTERVAL n MINUTE FROM numbers WHERE n < 150;
INSERT INTO t SELECT n + 200, '2024-03-31 00:00:00' + INTERVAL n MINUTE, '2024-03-31 02:00:00' + INTERVAL n MINUTE FROM numbers WHERE n < 150;
