echo {"record":"end","token":"@TOKEN@","exit":0}
