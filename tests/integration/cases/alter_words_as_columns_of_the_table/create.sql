CREATE TABLE t (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `change` INT NOT NULL, `drop` INT NULL, `rename` INT NOT NULL DEFAULT 3,
  `to` VARCHAR(40) NOT NULL DEFAULT 'rename', `column` DATETIME NULL,
  KEY `add` (`change`), KEY `key` (`to`, `change`)
);
INSERT INTO t SELECT n + 1, n, n * 7, n % 5, CONCAT('to', n), '2024-01-01' + INTERVAL n HOUR FROM numbers WHERE n < 300;
