CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a ENUM('x','y','z') NOT NULL, b ENUM('red','green','blue','never'), c ENUM('ä','ö','ü') CHARACTER SET latin1);
INSERT INTO t SELECT n, 1 + n % 3, 1 + n % 3, 1 + n % 3 FROM numbers WHERE n < 250;
INSERT INTO t VALUES (1001, 'x', NULL, NULL);
