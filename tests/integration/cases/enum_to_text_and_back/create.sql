CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a ENUM('1','2','0') NOT NULL, b VARCHAR(10), c SET('a','b') NOT NULL, d INT NOT NULL);
INSERT INTO t SELECT n, 1 + n % 3, ELT(1 + n % 3, 'one', 'two', 'three'), n % 4, 1 + n % 2 FROM numbers WHERE n < 250;
