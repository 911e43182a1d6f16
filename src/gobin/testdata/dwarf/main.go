// Prints the fields of runtime.gcControllerState as a program's own DWARF has them: {"name": {"offset": 8, "type": "int64"}}.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/json"
	"fmt"
	"log"
	"os"
)

type field struct {
	Offset int64  `json:"offset"`
	Type   string `json:"type"`
}

func main() {
	file, err := elf.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	data, err := file.DWARF()
	if err != nil {
		log.Fatal(err)
	}
	for reader := data.Reader(); ; {
		entry, err := reader.Next()
		if err != nil || entry == nil {
			log.Fatal("no runtime.gcControllerState: ", err)
		}
		if entry.Tag != dwarf.TagStructType || entry.Val(dwarf.AttrName) != "runtime.gcControllerState" {
			continue
		}
		typ, err := data.Type(entry.Offset)
		if err != nil {
			log.Fatal(err)
		}
		fields := map[string]field{}
		for _, f := range typ.(*dwarf.StructType).Field {
			fields[f.Name] = field{f.ByteOffset, scalar(f.Type)}
		}
		json.NewEncoder(os.Stdout).Encode(fields)
		return
	}
}

// scalar looks through typedefs and the atomic wrappers to the machine type.
func scalar(typ dwarf.Type) string {
	switch t := typ.(type) {
	case *dwarf.UintType:
		return fmt.Sprintf("uint%d", 8*t.ByteSize)
	case *dwarf.IntType:
		return fmt.Sprintf("int%d", 8*t.ByteSize)
	case *dwarf.TypedefType:
		return scalar(t.Type)
	case *dwarf.StructType:
		for _, f := range t.Field {
			if f.Name == "value" || f.Name == "u" {
				return scalar(f.Type)
			}
		}
	}
	return typ.String()
}
