CREATE TABLE t (kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk INT NOT NULL PRIMARY KEY, vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv INT);
INSERT INTO t SELECT n, n FROM numbers WHERE n < 200;
