CREATE TABLE `Straße_таблица_表` (id INT NOT NULL PRIMARY KEY, v INT, KEY (v));
INSERT INTO `Straße_таблица_表` SELECT n, n FROM numbers WHERE n < 200;
