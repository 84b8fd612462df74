CREATE TABLE `_x_gho` (id INT NOT NULL PRIMARY KEY, v INT, KEY (v));
INSERT INTO `_x_gho` SELECT n, n FROM numbers WHERE n < 200;
