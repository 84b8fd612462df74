CREATE TABLE `abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijx` (id INT NOT NULL PRIMARY KEY, v INT, KEY (v));
INSERT INTO `abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijx` SELECT n, n FROM numbers WHERE n < 200;
