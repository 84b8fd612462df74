CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a SET('x','y','z') NOT NULL, b SET('a','b','c','never'), c SET('ä','ö') CHARACTER SET latin1);
INSERT INTO t SELECT n, n % 8, n % 8, n % 4 FROM numbers WHERE n < 250;
INSERT INTO t VALUES (1001, '', NULL, NULL);
