SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a ENUM('x','y') NOT NULL, b SET('x','y'), v INT);
INSERT INTO t SELECT n, IF(n % 3 = 0, 'none', 'x'), 'y', n FROM numbers WHERE n < 200;
