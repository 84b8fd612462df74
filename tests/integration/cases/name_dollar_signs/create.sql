CREATE TABLE `$price$_$` (id INT NOT NULL PRIMARY KEY, v INT, KEY (v));
INSERT INTO `$price$_$` SELECT n, n FROM numbers WHERE n < 200;
