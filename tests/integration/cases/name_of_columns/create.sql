CREATE TABLE t (`key` INT NOT NULL, `a``b` INT NOT NULL, `c,d` VARCHAR(10), `e.f` INT, `$g` INT, `ключ` INT, `with space` INT, `"quoted"` INT, PRIMARY KEY (`key`, `a``b`));
INSERT INTO t SELECT n, n, 'c', n, n, n, n, n FROM numbers WHERE n < 200;
