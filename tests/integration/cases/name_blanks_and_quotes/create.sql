CREATE TABLE `a table's "name"; --` (id INT NOT NULL PRIMARY KEY, v INT, KEY (v));
INSERT INTO `a table's "name"; --` SELECT n, n FROM numbers WHERE n < 200;
